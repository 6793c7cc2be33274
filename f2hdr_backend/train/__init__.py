"""Training: shots synthesized from radiance images, the loss, and the loop."""
