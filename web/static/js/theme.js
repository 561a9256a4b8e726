// <musa-theme>: follows the system until the person chooses, and then only for this page:
// keeping a choice would need their consent.

class Theme extends HTMLElement {
  connectedCallback() {
    const fieldset = this.querySelector('fieldset');
    fieldset.hidden = false;
    fieldset.addEventListener('change', (event) => {
      const choice = event.target.value;
      if (choice === 'system') delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = choice;
    });
  }
}

customElements.define('musa-theme', Theme);
