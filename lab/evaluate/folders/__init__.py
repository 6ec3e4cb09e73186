"""Measures anybody's pictures, a folder of made ones beside a folder of real ones."""
