"""The main job measured: test pictures, what is measured on each result, and the tables of it."""
