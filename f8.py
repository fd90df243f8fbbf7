import triton, triton.language as tl
@triton.jit
def kernel(x, y, o):
    i = tl.arange(0, 16)
    at = i[:, None]*16 + i[None, :]
    tl.store(o + at, tl.dot(tl.load(x+at), tl.load(y+at), out_dtype=tl.float16))
