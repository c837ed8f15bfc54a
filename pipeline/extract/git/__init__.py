"""Git as a source: the files of a commit, and the history of a branch."""
