"""What a new study of one's own data starts with, and what is said of it."""
