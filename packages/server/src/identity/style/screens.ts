import { html as css } from '../html.ts'

/** Fingers, narrow screens, and what people have asked their system for. */
export const screens = css`
  @media (pointer: coarse) {
    body {
      font-size: 15px;
      line-height: 22px;
    }
    input[type='text'],
    input[type='email'],
    input[type='password'] {
      height: 44px;
      font-size: 16px;
    }
    button,
    .button {
      min-height: 44px;
      font-size: 15px;
    }
    button.small {
      min-height: 36px;
      font-size: 14px;
    }
    .option input {
      width: 20px;
      height: 20px;
    }
    .option {
      grid-template-columns: 20px 1fr;
      padding: 8px;
    }
  }
  @media (max-width: 640px) {
    .section {
      grid-template-columns: 1fr;
    }
    .wide {
      padding: 8px 16px 48px;
    }
    .top {
      padding: 12px 16px;
    }
    .top nav span {
      display: none;
    }
    .narrow {
      justify-content: flex-start;
      padding-top: 32px;
    }
    .codes {
      grid-template-columns: 1fr;
    }
  }
  @media (max-width: 420px) {
    .facts > div {
      grid-template-columns: 1fr;
      gap: 0;
    }
    .narrow .panel {
      padding: 24px 16px 16px;
    }
  }
  @media (forced-colors: active) {
    .panel,
    .note,
    .options {
      border-color: CanvasText;
    }
  }
  @media (prefers-reduced-motion: no-preference) {
    button,
    .button,
    input {
      transition:
        background-color 0.12s ease-out,
        border-color 0.12s ease-out;
    }
  }
`
