"""Commands that a person calls beside DVC."""
