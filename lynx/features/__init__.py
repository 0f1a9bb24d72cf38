"""Token streams: encode each clip once, store or stream them, read them by clip id.

Architecture, rule 8.
"""
