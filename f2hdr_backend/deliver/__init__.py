"""Deliverables made from rendered frames: display-referred movies and image sequences."""
