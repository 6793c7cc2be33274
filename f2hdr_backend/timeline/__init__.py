"""Timelines (OTIO, EDL, FCPXML): the clips they use, and the render of each used range."""
