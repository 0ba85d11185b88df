// Light or dark: as the system has it until somebody chooses.
export const theme = new (class {
  chosen = $state(localStorage.getItem('theme') ?? '');

  constructor() {
    this.#show();
  }

  toggle(): void {
    const dark = this.chosen ? this.chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    this.chosen = dark ? 'light' : 'dark';
    localStorage.setItem('theme', this.chosen);
    this.#show();
  }

  #show(): void {
    if (this.chosen) document.documentElement.dataset.theme = this.chosen;
  }
})();
