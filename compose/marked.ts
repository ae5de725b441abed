/**
 * Puts lines between `# generated: <name>` and `# end` of a file that is otherwise written by hand, indented like the
 * first of the two.
 * @throws if the file has no such place
 */
export function fillMarked(text: string, name: string, lines: readonly string[]): string {
  const place = new RegExp(`^( *)# generated: ${name}\\n[\\s\\S]*?^ *# end\\n`, 'm')
  if (!place.test(text)) throw new Error(`there is no place for ${name}`)
  return text.replace(place, (_, indent: string) =>
    [`# generated: ${name}`, ...lines, '# end'].map((line) => `${indent}${line}\n`).join(''),
  )
}
