"""The forms in which answers can be taken away: one small file for each, and what they share."""
