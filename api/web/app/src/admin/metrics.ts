// The figures that Prometheus reads: lines of a name, labels and a value.
export interface Figure { name: string; label: string; value: number }

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;

/** Read each line that is a figure; `label` is the value of its only label, or empty. */
export function readMetrics(text: string): Figure[] {
  return text.split('\n').flatMap((line) => {
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    return name ? [{ name, label: /^\w+="([^"]*)"$/.exec(labels)?.[1] ?? '', value: Number(value) }] : [];
  });
}

export const sum = (figures: Figure[], name: string): number => figures.reduce((total, figure) => total + (figure.name === name ? figure.value : 0), 0);
