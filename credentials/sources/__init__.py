"""One source per datum (一数一源): whence a datum, who puts it right, forms that fill themselves."""
