"""The claims of the paper, one file each, under the name by which `theorems` calls it."""
