// The address within the application.
export const route = new (class {
  path = $state(location.pathname);
  /** What the address names within its page, after the #. */
  part = $state(location.hash.slice(1));

  constructor() {
    addEventListener('popstate', () => {
      this.path = location.pathname;
      this.part = location.hash.slice(1);
    });
  }

  go(path: string): void {
    const [page = '/', part = ''] = path.split('#');
    history.pushState(null, '', page + location.search + (part ? `#${part}` : ''));
    this.path = page;
    this.part = part;
    scrollTo(0, 0);
  }
})();

/** Follow a link within the application without loading it anew; one that is opened elsewhere is left to the browser. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
  if (link.pathname.split('/')[1] === 'me' || link.pathname === '/docs') return; // pages that the service makes
  event.preventDefault();
  route.go(link.pathname + link.hash);
}
