"""The one base class of the errors this study raises on purpose."""


class StudyError(Exception):
    """Tell the user, in one line, what is wrong and what to do; stages print it and exit 1."""
