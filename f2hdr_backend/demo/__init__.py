"""The demo shot: a synthetic HDR scene, its plate, and the contact sheet of the result."""
