"""Pictures of results: contact sheets, false color, flow colors."""
