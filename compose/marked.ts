/**
 * Replaces the lines between `# generated: <name>` and `# end` in a file that is otherwise written by hand.
 * The new lines are indented like the first of these comments.
 * @returns the new text
 * @throws Error if the file has no such comments
 */
export function fillMarked(text: string, name: string, lines: readonly string[]): string {
  const place = new RegExp(`^( *)# generated: ${name}\\n[\\s\\S]*?^ *# end\\n`, 'm')
  if (!place.test(text)) throw new Error(`there is no comment "# generated: ${name}"`)
  return text.replace(place, (_, indent: string) =>
    [`# generated: ${name}`, ...lines, '# end'].map((line) => `${indent}${line}\n`).join(''),
  )
}
