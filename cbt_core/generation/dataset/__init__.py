"""From questions to a dataset: cleaning, labels, figures, splits without leakage, a card."""
