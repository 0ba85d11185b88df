// The address within the application.
export const route = new (class {
  path = $state(location.pathname);

  constructor() {
    addEventListener('popstate', () => (this.path = location.pathname));
  }

  go(path: string): void {
    history.pushState(null, '', path + location.search);
    this.path = path;
    scrollTo(0, 0);
  }
})();

/** Follow a link within the application without loading it anew; one that is opened elsewhere is left to the browser. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
  event.preventDefault();
  route.go(link.pathname);
}
