"""Pages that people read: self-contained HTML files made from tables, figures and runs."""
