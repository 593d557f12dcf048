"""Whether probabilities mean what they say, and how a model is made to say what they mean."""
