"""A Llama of 0.8 million parameters, built in a moment, and a tokenizer of single characters."""

from pathlib import Path

LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:;!?'\"()-\n"
    "，。！？、：；我你他她的是不了在有人这么想会觉得自己做能和也就都说心里什怎样办可以事情感到但很没"
)
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<end>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SPECIAL = ["<pad>", "<unk>", "<end>", "<|system|>", "<|user|>", "<|assistant|>"]


def build(folder: Path, *, seed: int = 1, context: int = 512, template: bool = True) -> Path:
    """Write model and tokenizer to a folder and return it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    tokens = {token: number for number, token in enumerate([*SPECIAL, *dict.fromkeys(LETTERS)])}
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=128, intermediate_size=344, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=context,
        bos_token_id=None, eos_token_id=2, pad_token_id=0, initializer_range=0.2,
    )
    _tokenizer(tokens, template).save_pretrained(folder)
    model = LlamaForCausalLM(config)
    model.lm_head.weight.data[: len(SPECIAL)] = 0.0  # an untrained model should say something
    model.save_pretrained(folder)
    return folder


def _tokenizer(tokens: dict[str, int], template: bool) -> object:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel(tokens, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), behavior="isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", eos_token="<end>",
        additional_special_tokens=["<|system|>", "<|user|>", "<|assistant|>"],
        chat_template=TEMPLATE if template else None,
    )
