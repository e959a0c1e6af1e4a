"""LoRA tuning of Chinese backbones on a CBT QA dataset."""
