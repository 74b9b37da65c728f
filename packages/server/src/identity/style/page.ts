import { html as css } from '../html.ts'

/** The shapes of a page. */
export const page = css`
  .top {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 16px 24px;
    color: var(--text-2);
  }
  .top a {
    white-space: nowrap;
    color: inherit;
    text-decoration: none;
  }
  .top nav {
    margin-left: auto;
    display: flex;
    gap: 16px;
    align-items: center;
  }
  .brand {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    font-weight: 600;
    color: var(--text);
    min-height: 24px;
  }
  .brand svg {
    display: block;
    color: var(--accent);
  }
  .foot {
    margin-top: auto;
    padding: 24px;
    color: var(--text-3);
    font-size: 12px;
    line-height: 16px;
    text-align: center;
  }

  .narrow {
    width: 100%;
    max-width: 408px;
    margin: 0 auto;
    padding: 24px 16px 32px;
    flex: 1 0 auto;
    display: flex;
    flex-direction: column;
    justify-content: center;
  }
  .narrow.roomy {
    max-width: 488px;
  }
  .narrow .brand {
    align-self: center;
    margin-bottom: 20px;
  }
  .wide {
    width: 100%;
    max-width: 808px;
    margin: 0 auto;
    padding: 16px 24px 64px;
  }
  .panel {
    background: var(--surface);
    border: 1px solid var(--line);
    border-radius: 10px;
  }
  .narrow .panel {
    padding: 28px 24px 24px;
  }
  .panel > h1 + * {
    margin-top: 8px;
  }
  .lead {
    color: var(--text-2);
    text-wrap: pretty;
  }
  .lead b {
    color: var(--text);
    font-weight: 500;
  }
  .beside {
    margin-top: 20px;
    text-wrap: balance;
    text-align: center;
    color: var(--text-2);
  }
`
