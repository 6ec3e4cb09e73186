"""A person's own things as weights and words of a diffusion model (Custom Diffusion, Kumari et al. 2023)."""
