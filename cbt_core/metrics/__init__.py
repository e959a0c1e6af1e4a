"""Numbers from texts: BLEU, chrF, METEOR, BERTScore, BLEURT, structure. Always automatic."""
