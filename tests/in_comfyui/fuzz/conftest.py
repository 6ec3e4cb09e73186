"""The small models of the sampler tests."""

from recompose.tests.in_comfyui.sampling.conftest import world as world
