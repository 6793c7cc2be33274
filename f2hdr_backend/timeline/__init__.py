"""Timelines (OTIO, EDL, FCPXML): their clips, and the render of each used range."""
