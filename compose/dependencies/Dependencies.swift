// Nothing: the image builds a package of this file alone first, so that all that is not ours is compiled in a
// layer of its own, which is made anew only when Package.swift changes.
