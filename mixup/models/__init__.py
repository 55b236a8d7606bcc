"""The networks of the study: for points, tables and small images."""
