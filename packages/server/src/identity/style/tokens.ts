import { html as css } from '../html.ts'

/** Colours, type and what every element begins with: the product's tokens. Every pair of colours passes WCAG 2.2 AA. */
export const tokens = css`
  :root {
    color-scheme: light dark;
    --bg: #fbfbfa;
    --surface: #fff;
    --sunken: #f3f3f1;
    --line: #e3e3df;
    --edge: #8c8c85;
    --text: #1b1b19;
    --text-2: #55554f;
    --text-3: #6e6e67;
    --accent: #3451d1;
    --accent-hover: #2b45b8;
    --on-accent: #fff;
    --link: #2b45b8;
    --ok: #1a7f4b;
    --warn: #946200;
    --danger: #c4281c;
    --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
    --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --bg: #111110;
      --surface: #191918;
      --sunken: #0c0c0b;
      --line: #2e2e2b;
      --edge: #74746d;
      --text: #eeeeec;
      --text-2: #b5b5ae;
      --text-3: #8f8f88;
      --accent: #5b76f0;
      --accent-hover: #7088f4;
      --on-accent: #0c0c0b;
      --link: #9db0ff;
      --ok: #4cc38a;
      --warn: #e2a336;
      --danger: #ff8a7a;
    }
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  html {
    -webkit-text-size-adjust: 100%;
    text-size-adjust: 100%;
  }
  body {
    margin: 0;
    min-height: 100vh;
    min-height: 100dvh;
    display: flex;
    flex-direction: column;
    background: var(--bg);
    color: var(--text);
    font: 400 13px/20px var(--sans);
    -webkit-font-smoothing: antialiased;
    font-variant-numeric: tabular-nums;
  }
  h1,
  h2,
  p,
  dl,
  dd,
  ul,
  ol,
  fieldset,
  figure {
    margin: 0;
    padding: 0;
    border: 0;
    min-width: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  h1 {
    font-size: 18px;
    line-height: 24px;
    font-weight: 600;
    text-wrap: balance;
  }
  h2 {
    font-size: 13px;
    line-height: 20px;
    font-weight: 600;
  }
  a {
    color: var(--link);
    text-decoration: underline;
    text-decoration-color: color-mix(in srgb, currentColor 35%, transparent);
    text-underline-offset: 3px;
  }
  a:hover {
    text-decoration-color: currentColor;
  }
  b,
  strong {
    font-weight: 600;
  }
  code,
  .mono {
    font: 400 12.5px/20px var(--mono);
    font-variant-ligatures: none;
    overflow-wrap: anywhere;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
    border-radius: 6px;
  }
`
