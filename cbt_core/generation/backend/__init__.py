"""Where replies come from: echo, OpenAI-compatible hosts, models on this machine."""
