"""The data sets, and the one format in which they are kept."""
