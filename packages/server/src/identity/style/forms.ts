import { html as css } from '../html.ts'

/** Fields and buttons. */
export const forms = css`
  form {
    margin-top: 20px;
    display: grid;
    gap: 16px;
  }
  form.inline {
    margin: 0;
    display: inline-flex;
    gap: 8px;
  }
  .field {
    display: grid;
    gap: 6px;
  }
  label,
  .label {
    font-weight: 500;
    color: var(--text);
  }
  .hint {
    color: var(--text-2);
    font-size: 12px;
    line-height: 16px;
  }
  input[type='text'],
  input[type='email'],
  input[type='password'] {
    width: 100%;
    height: 36px;
    padding: 0 10px;
    color: var(--text);
    background: var(--surface);
    border: 1px solid var(--edge);
    border-radius: 6px;
    font: inherit;
    font-size: 14px;
  }
  input:focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  input[aria-invalid='true'] {
    border-color: var(--danger);
  }
  input.code {
    font: 500 18px/24px var(--mono);
    letter-spacing: 0.2em;
    height: 44px;
    text-align: center;
  }
  input[readonly] {
    background: var(--sunken);
    color: var(--text-2);
  }
  .error {
    color: var(--danger);
    font-size: 12px;
    line-height: 16px;
  }

  button,
  .button {
    font: 500 13px/20px var(--sans);
    min-height: 36px;
    padding: 7px 14px;
    border-radius: 6px;
    border: 1px solid var(--edge);
    background: transparent;
    color: var(--text);
    cursor: pointer;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    text-decoration: none;
    text-align: center;
  }
  button:hover,
  .button:hover {
    background: var(--sunken);
  }
  button.primary,
  .button.primary {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover,
  .button.primary:hover {
    background: var(--accent-hover);
    border-color: var(--accent-hover);
  }
  button.danger {
    color: var(--danger);
    border-color: var(--danger);
  }
  button.small {
    min-height: 28px;
    padding: 3px 10px;
    font-size: 12px;
  }
  button.link {
    min-height: 24px;
    padding: 0;
    border: 0;
    color: var(--link);
    background: none;
    font-weight: 400;
    text-decoration: underline;
    text-decoration-color: color-mix(in srgb, currentColor 35%, transparent);
    text-underline-offset: 3px;
  }
  button.link:hover {
    text-decoration-color: currentColor;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .panel > .actions {
    margin-top: 20px;
  }
  .panel > .actions > .button {
    flex: 1 1 auto;
  }
  .actions.even {
    display: grid;
    grid-template-columns: 1fr 1fr;
  }
  .panel > form > button.primary:only-of-type {
    width: 100%;
  }
`
