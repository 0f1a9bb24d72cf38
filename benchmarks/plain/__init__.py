"""The same results by the plain way: the library's own forward passes, nothing kept or shared.

The whole base is loaded; every sample is read, drawn and encoded again whenever it is needed, and a
question is a sequence of its own.
"""
