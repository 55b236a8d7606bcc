"""Measures of a run: numbers from its net, its states and its history, and their words.

One file a family of measures: which runs it applies to, how it is computed from a run, and as
``MEASURES`` its words, units, better directions and figures. `catalogue` lists all families.
Nothing here is random where a docstring does not say so.

PyTorch and scikit-learn are imported where a measure is computed: who only wants its words does not
wait two seconds for them.
"""
