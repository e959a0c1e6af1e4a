"""Numbers from labels: agreement of label sets and spans, detection against gold, anchoring."""
