"""From the tables to verdicts: intervals, tests, claims and their ledger."""
