"""Pages of sample questions: frames, X as it is drawn, and what each variant answered."""
