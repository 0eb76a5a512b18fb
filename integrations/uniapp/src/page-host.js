// What a page is told by its browser, on command. Loaded as a script before the page's own.

window.holdfastHost = (origin, refusedUrl) => {
  const become = (state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  };
  return {
    url: (path) => origin + path,
    refusedUrl,
    hide: () => become('hidden'),
    show: () => become('visible'),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
};
