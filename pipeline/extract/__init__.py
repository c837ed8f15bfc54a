"""Extract: sources list files, front matter becomes documents or rejections."""
