"""Figures of the study: functions from plain arrays and tables to matplotlib figures."""
