def polite(sample, item):
    return float("please" in sample["output_text"].lower())
