"""What a model is put to: answers, detection of distortions, judgement of answers."""
