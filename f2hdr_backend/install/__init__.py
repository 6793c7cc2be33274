"""The files that Nuke, Resolve and OpenFX hosts load: installed into their folders, and removed again."""
