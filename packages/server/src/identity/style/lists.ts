import { html as css } from '../html.ts'

/** What is said beside forms: notes, facts, choices, rows. */
export const lists = css`
  .note {
    display: grid;
    grid-template-columns: 16px 1fr;
    gap: 8px;
    padding: 10px 12px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--sunken);
    margin-top: 16px;
  }
  .note svg {
    display: block;
    margin-top: 2px;
  }
  .note.ok svg {
    color: var(--ok);
  }
  .note.warn svg {
    color: var(--warn);
  }
  .note.danger svg {
    color: var(--danger);
  }
  .note.danger {
    border-color: var(--danger);
  }
  .note ul {
    margin-top: 2px;
  }
  .note h2 {
    margin: 0;
  }

  .facts {
    margin-top: 20px;
    border-top: 1px solid var(--line);
  }
  .facts > div {
    display: grid;
    grid-template-columns: 104px 1fr;
    gap: 12px;
    padding: 8px 0;
    border-bottom: 1px solid var(--line);
  }
  .facts dt {
    color: var(--text-2);
  }
  .facts dd {
    overflow-wrap: anywhere;
  }
  .facts dd .sub,
  .sub {
    color: var(--text-2);
    font-size: 12px;
    line-height: 16px;
    display: block;
  }
  .tag {
    display: inline-block;
    padding: 0 6px;
    border: 1px solid var(--line);
    border-radius: 6px;
    color: var(--text-2);
    font-size: 12px;
    line-height: 18px;
  }

  .options {
    display: grid;
    gap: 0;
    border: 1px solid var(--line);
    border-radius: 6px;
    margin-top: 8px;
  }
  .options > * + * {
    border-top: 1px solid var(--line);
  }
  .option {
    display: grid;
    grid-template-columns: 16px 1fr;
    gap: 10px;
    padding: 9px 12px;
    font-weight: 400;
    cursor: pointer;
    align-items: start;
  }
  .option:hover {
    background: var(--sunken);
  }
  .option:first-child:hover {
    border-radius: 6px 6px 0 0;
  }
  .option:last-child:hover {
    border-radius: 0 0 6px 6px;
  }
  .option.only {
    cursor: default;
    grid-template-columns: 1fr;
  }
  .option.only:hover {
    background: none;
  }
  .option input {
    margin: 2px 0 0;
    width: 16px;
    height: 16px;
    accent-color: var(--accent);
  }
  .option .mono {
    color: var(--text-2);
  }
  legend {
    font-weight: 600;
    padding: 0;
  }
  fieldset + fieldset {
    margin-top: 16px;
  }

  .section {
    padding: 24px 0;
    border-top: 1px solid var(--line);
    display: grid;
    grid-template-columns: 200px 1fr;
    gap: 8px 32px;
  }
  .section:first-of-type {
    margin-top: 16px;
  }
  .section > div > *:first-child {
    margin-top: 0;
  }
  .section .lead {
    font-size: 12px;
    line-height: 16px;
    margin-top: 4px;
  }
  .section form:not(.inline) {
    max-width: 360px;
  }
  .rows > li {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 16px;
    align-items: center;
    padding: 8px 0;
    border-bottom: 1px solid var(--line);
  }
  .rows > li:first-child {
    padding-top: 0;
  }
  .rows > li:last-child {
    border-bottom: 0;
  }
  .rows > li > div:first-child {
    flex: 1 1 240px;
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .rows + form,
  .rows + .actions {
    margin-top: 12px;
  }
  .status {
    display: inline-flex;
    align-items: center;
    gap: 6px;
  }
  .status svg {
    display: block;
  }
  .status.ok svg {
    color: var(--ok);
  }
  .status.off svg {
    color: var(--text-3);
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .enrol {
    margin-top: 20px;
  }
  .actions.even > form {
    margin: 0;
  }
  .codes {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 4px 24px;
    margin-top: 16px;
    padding: 12px 16px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--sunken);
  }
  .qr {
    margin: 16px auto 0;
    width: 184px;
    padding: 8px;
    background: #fff;
    border: 1px solid var(--line);
    border-radius: 10px;
  }
  .qr svg {
    display: block;
    width: 100%;
    height: auto;
  }
  .secret {
    margin-top: 4px;
    padding: 8px 12px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--sunken);
  }
`
