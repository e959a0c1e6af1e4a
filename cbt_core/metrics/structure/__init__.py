"""What can be seen of an answer's structure without a person: automatic, never a judgement."""
