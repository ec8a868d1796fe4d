// A file of VS Code as VS Code's own parser reads it: one JSON object with the `errors`, the `value` and the `comments`, each with
// the text that follows it. Judges nothing.
//
//     node jsonc.mjs PATH
import { readFileSync } from 'node:fs';
import { ScanError, SyntaxKind, createScanner, parse, printParseErrorCode } from 'jsonc-parser';

const text = readFileSync(process.argv[2], 'utf8').replace(/^\uFEFF/, '');
const errors = [];
const value = parse(text, errors, { allowTrailingComma: true, disallowComments: false });
const scanner = createScanner(text, false);
const comments = [];
for (let kind = scanner.scan(); kind !== SyntaxKind.EOF; kind = scanner.scan()) {
  if (scanner.getTokenError() !== ScanError.None) errors.push({ error: scanner.getTokenError(), offset: scanner.getTokenOffset() });
  if (kind === SyntaxKind.LineCommentTrivia || kind === SyntaxKind.BlockCommentTrivia) comments.push(scanner.getTokenValue());
}
console.log(JSON.stringify({ errors: errors.map(({ error }) => printParseErrorCode(error)), value, comments }));
