// Pages of words need only the theme and the notices.

import './notices.js';
import './theme.js';
