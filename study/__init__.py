"""What the stages call: data, training, measures, tables, inference, figures and the report."""
