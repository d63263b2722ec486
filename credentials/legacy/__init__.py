"""Licences of older registers (存量证照): brought in row by row, known for what they are, sealed when needed.

    mapping = read_mapping(data, "food.toml", catalogue, agency=agency.credit_code)
    summary = LegacyImport(register).check(file, mapping, actor=clerk)      # changes nothing
    summary = LegacyImport(register).run(file, mapping, actor=clerk)        # the same again changes nothing

`mapping` says what columns mean, `sheets` reads files of any length, `judging` decides on a row, `importing`
records, `sealing` makes the document. Licences that others issued are `credentials.foreign`.
"""
