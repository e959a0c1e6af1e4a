"""Labels beside the annotators' own: adjudication, and a machine's proposals."""
